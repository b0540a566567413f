//! The plots for the README. No background, and colours of middle brightness, so that they read on a
//! light page and on a dark one.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::codec::SIZES;
use crate::record::{Row, unique};

type Outcome = Result<(), Box<dyn Error>>;

const TEXT: RGBColor = RGBColor(0x7d, 0x85, 0x90);
const OURS: RGBColor = RGBColor(0x2f, 0x81, 0xf7);
const LIMIT: RGBColor = RGBColor(0x2d, 0xa4, 0x4e);
const OTHER: RGBColor = RGBColor(0x8b, 0x94, 0x9e);
const PALETTE: [RGBColor; 10] = [
    RGBColor(0xd2, 0x99, 0x22),
    RGBColor(0xdb, 0x61, 0xa2),
    RGBColor(0xa3, 0x71, 0xf7),
    RGBColor(0xf8, 0x51, 0x49),
    RGBColor(0x1b, 0x9e, 0x9e),
    RGBColor(0x9a, 0x67, 0x00),
    RGBColor(0x6e, 0x77, 0x81),
    RGBColor(0xe1, 0x6f, 0x24),
    RGBColor(0x57, 0x60, 0xc8),
    RGBColor(0x8c, 0x6c, 0xa8),
];

/// Redraws every plot for which there are results.
pub fn all(dir: &Path, rows: &[Row]) -> Outcome {
    codec(&dir.join("codec.svg"), rows)?;
    let echo = |case| -> Vec<(&str, f64)> {
        pick(rows, "echo", "echo over loopback", case, "thousand messages a second")
    };
    bars(
        &dir.join("echo.svg"),
        &[
            (
                "64 connections x 20 B, 32 in flight: thousand messages a second",
                true,
                echo("64 x 20 B, 32 in flight"),
            ),
            (
                "64 connections x 1 KiB, one in flight: thousand messages a second",
                true,
                echo("64 x 1 KiB"),
            ),
        ],
    )?;
    let idle: Vec<(&str, f64)> = rows
        .iter()
        .filter(|row| row.part == "idle")
        // A `feed` loop holds what its `send` loop does.
        .filter(|row| !row.engine.ends_with(", feed"))
        .filter_map(|row| Some((row.engine.as_str(), row.value?)))
        .collect();
    bars(&dir.join("idle.svg"), &[("Memory of an idle connection, bytes resident", false, idle)])
}

fn pick<'a>(
    rows: &'a [Row],
    part: &str,
    group: &str,
    case: &str,
    metric: &str,
) -> Vec<(&'a str, f64)> {
    rows.iter()
        .filter(|row| row.part == part && row.group == group)
        .filter(|row| row.case == case && row.metric == metric)
        .filter_map(|row| Some((row.engine.as_str(), row.value?)))
        .collect()
}

/// How many times slower than the practical limit, by size.
fn codec(path: &Path, rows: &[Row]) -> Outcome {
    let value = |engine: &str, case: &str| {
        let rows = pick(rows, "codec", "receive binary, server", case, "ns");
        rows.into_iter().find(|row| row.0 == engine).map(|row| row.1)
    };
    let ratio = |engine: &str, case: &str| Some(value(engine, case)? / value("ideal", case)?);
    let group = rows.iter().filter(|row| row.group == "receive binary, server");
    let mut engines = unique(group, |row| &row.engine);
    engines.retain(|engine| !["memcpy", "memcpy + xor", "ideal, owned"].contains(engine));
    if engines.is_empty() {
        return Ok(());
    }
    let root = SVGBackend::new(path, (860, 460)).into_drawing_area();
    let last = SIZES.len() as f64 - 1.0;
    let mut chart = ChartBuilder::on(&root)
        .caption(
            "Receiving a masked binary message: time against the practical limit",
            style(16, TEXT),
        )
        .margin(10)
        .margin_right(200)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..last, (0.2..60.0).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(SIZES.len())
        .x_label_formatter(&|x| SIZES.get(x.round() as usize).map_or("", |size| size.0).into())
        .y_label_formatter(&|y| {
            let shown = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0].contains(y);
            if shown { format!("{y} x") } else { String::new() }
        })
        .axis_style(TEXT)
        .bold_line_style(OTHER.mix(0.25))
        .light_line_style(TRANSPARENT)
        .label_style(style(13, TEXT))
        .draw()?;
    let mut palette = PALETTE.iter().cycle();
    let mut labels: Vec<(i32, String, RGBColor)> = Vec::new();
    for engine in engines {
        let (color, width) = match engine {
            "websocket-proto" => (OURS, 4),
            "websocket-proto, owned" => (OURS, 2),
            "ideal" => (LIMIT, 2),
            _ => (*palette.next().expect("endless"), 2),
        };
        let points: Vec<(f64, f64)> = SIZES
            .iter()
            .enumerate()
            .filter_map(|(index, size)| Some((index as f64, ratio(engine, size.0)?)))
            .collect();
        let Some(&end) = points.last() else { continue };
        labels.push((chart.backend_coord(&end).1, engine.into(), color));
        let dots = points.iter().map(|&point| Circle::new(point, 3, color.filled()));
        chart.draw_series(dots)?;
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(width)))?;
    }
    // The names stand at the ends of their lines, moved apart where lines end close together.
    labels.sort_by_key(|label| label.0);
    let mut free = i32::MIN;
    for (y, name, color) in labels {
        let y = y.max(free);
        free = y + 16;
        let at = style(13, color).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(name, (668, y), at))?;
    }
    root.present()?;
    Ok(())
}

/// A title, whether more is better, and the bars.
type Panel<'a> = (&'a str, bool, Vec<(&'a str, f64)>);

/// Horizontal bars, best first.
fn bars(path: &Path, panels: &[Panel<'_>]) -> Outcome {
    const ROW: usize = 22;
    let height: usize = panels.iter().map(|panel| panel.2.len() * ROW + 50).sum();
    if panels.iter().all(|panel| panel.2.is_empty()) {
        return Ok(());
    }
    let root = SVGBackend::new(path, (860, height as u32)).into_drawing_area();
    let mut top = 0;
    for (title, more_is_better, values) in panels {
        let mut values = values.clone();
        values.sort_by(|a, b| a.1.total_cmp(&b.1));
        if *more_is_better {
            values.reverse();
        }
        panel(&root, top, title, &values)?;
        top += (values.len() * ROW + 50) as i32;
    }
    root.present()?;
    Ok(())
}

fn panel(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    top: i32,
    title: &str,
    values: &[(&str, f64)],
) -> Outcome {
    let longest = values.iter().map(|value| value.1).fold(1.0, f64::max);
    root.draw(&Text::new(title, (10, top + 12), style(15, TEXT)))?;
    for (index, (engine, value)) in values.iter().enumerate() {
        let y = top + 40 + 22 * index as i32;
        let color = match engine {
            name if name.starts_with("websocket-proto") => OURS,
            name if name.starts_with("ideal") => LIMIT,
            _ => OTHER,
        };
        let end = 220 + (540.0 * value.max(0.0) / longest) as i32;
        root.draw(&Rectangle::new([(220, y), (end.max(222), y + 15)], color.filled()))?;
        let name = style(13, TEXT).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw(&Text::new((*engine).to_string(), (212, y + 8), name))?;
        let number = style(13, TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        let text = if *value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        root.draw(&Text::new(text, (end.max(222) + 6, y + 8), number))?;
    }
    Ok(())
}

fn style(size: i32, color: RGBColor) -> TextStyle<'static> {
    let mut style = TextStyle::from(("sans-serif", size));
    style.color = color.to_backend_color();
    style
}
