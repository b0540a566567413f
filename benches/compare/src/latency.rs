//! Latencies of many messages in little memory.

use std::time::Duration;

/// A histogram with 32 steps to each doubling: within 3 %.
#[derive(Clone, Debug)]
pub struct Latency {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { counts: vec![0; 64 * 32], total: 0 }
    }
}

impl Latency {
    pub fn add(&mut self, time: Duration) {
        let nanos = (time.as_nanos() as u64).max(32);
        let log = nanos.ilog2();
        let step = (nanos >> (log - 5)) & 31;
        self.counts[(log as usize) * 32 + step as usize] += 1;
        self.total += 1;
    }

    /// Microseconds that this share of the messages stayed below.
    pub fn percentile(&self, share: f64) -> f64 {
        let goal = (self.total as f64 * share).ceil() as u64;
        let mut sum = 0;
        for (index, count) in self.counts.iter().enumerate() {
            sum += count;
            if sum >= goal && sum > 0 {
                let low = (32 + (index as u64 & 31)) as f64 * 2f64.powi((index / 32) as i32 - 5);
                return low / 1e3;
            }
        }
        0.0
    }
}
