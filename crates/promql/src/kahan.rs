//! Sums with less rounding: Kahan's compensation in Neumaier's form, in Prometheus's exact order of operations.

/// A running sum and what rounding has cost it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub sum: f64,
    pub compensation: f64,
}

impl Sum {
    pub fn new(sum: f64, compensation: f64) -> Sum {
        Sum { sum, compensation }
    }

    /// Adds one value. Once the sum is infinite there is nothing left to compensate.
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        *self = self.plus(value);
    }

    #[inline(always)]
    pub fn plus(self, value: f64) -> Sum {
        let total = self.sum + value;
        let (large, small) =
            if self.sum.abs() >= value.abs() { (self.sum, value) } else { (value, self.sum) };
        let compensation = self.compensation + ((large - total) + small);
        Sum { sum: total, compensation: if total.is_infinite() { 0.0 } else { compensation } }
    }

    /// Sum and compensation together.
    pub fn total(self) -> f64 {
        self.sum + self.compensation
    }
}

/// The mean of the values given so far: the plain mean while the sum stays finite, the incremental one after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mean {
    count: f64,
    /// The sum, or once `incremental` the mean itself.
    acc: Sum,
    incremental: bool,
}

impl Mean {
    pub fn new(first: f64) -> Mean {
        Mean { count: 1.0, acc: Sum::new(first, 0.0), incremental: false }
    }

    #[inline]
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let next = self.acc.plus(value);
            if !next.sum.is_infinite() {
                self.acc = next;
                return;
            }
            self.incremental = true;
            self.acc.sum /= self.count - 1.0;
            self.acc.compensation /= self.count - 1.0;
        }
        let q = (self.count - 1.0) / self.count;
        self.acc = Sum::new(q * self.acc.sum, q * self.acc.compensation).plus(value / self.count);
    }

    pub fn mean(self) -> f64 {
        if self.incremental {
            return self.acc.total();
        }
        self.acc.sum / self.count + self.acc.compensation / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_survive_between_large_ones() {
        let mut sum = Sum::default();
        for v in [1.0, 1e100, 1.0, -1e100] {
            sum.add(v);
        }
        assert_eq!(sum.total(), 2.0);
    }

    #[test]
    fn the_mean_of_huge_values_does_not_overflow() {
        let mut mean = Mean::new(1.7e308);
        mean.add(1.7e308);
        mean.add(1.7e308);
        assert!((mean.mean() / 1.7e308 - 1.0).abs() < 1e-15, "{}", mean.mean());
        let mut infinite = Mean::new(f64::INFINITY);
        infinite.add(1.0);
        assert_eq!(infinite.mean(), f64::INFINITY);
    }
}
