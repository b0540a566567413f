//! Prints the allocations a message of every engine in every case. A program of its own, because
//! the counting allocator would slow the times of those that allocate.

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().filter(|case| !case.is_empty());
    let only = arguments.next().filter(|only| !only.is_empty());
    compare::measure::allocations(only.as_deref(), case.as_deref(), |run| {
        let info = allocation_counter::measure(run);
        (info.count_total, info.bytes_total)
    });
}
