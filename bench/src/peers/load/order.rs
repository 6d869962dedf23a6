/// What is known of the numbers that have come to one client on one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// One more than the highest number.
    next: u32,
    /// Of the 64 numbers below `next`, those that have come: the highest one is the lowest bit.
    seen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    /// After one that was published later.
    Reordered,
    Doubled,
}

impl Order {
    /// Begins with this number.
    pub(crate) fn from(next: u32) -> Self {
        Self { next, seen: u64::MAX }
    }

    /// One more than the highest number that has come.
    pub(crate) fn next(self) -> u32 {
        self.next
    }

    pub(crate) fn take(&mut self, number: u32) -> Arrival {
        if let Some(ahead) = number.checked_sub(self.next) {
            self.seen = self.seen.checked_shl(ahead + 1).unwrap_or(0) | 1;
            self.next = number + 1;
            return Arrival::New;
        }
        let bit = 1u64.checked_shl(self.next - 1 - number).unwrap_or(0);
        if self.seen & bit == 0 && bit != 0 {
            self.seen |= bit;
            Arrival::Reordered
        } else {
            Arrival::Doubled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_and_reordered_numbers_are_told_apart() {
        let mut order = Order::from(10);
        let arrivals = [10, 11, 14, 12, 12, 13, 15, 9].map(|number| order.take(number));
        use Arrival::{Doubled, New, Reordered};
        assert_eq!(arrivals, [New, New, New, Reordered, Doubled, Reordered, New, Doubled]);
    }
}
