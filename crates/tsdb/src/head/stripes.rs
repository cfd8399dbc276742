//! All stripes: found by ref without a lock, made as refs are issued, never moved.

use std::sync::{Mutex, MutexGuard, OnceLock};

use super::STRIPE_LEN;
use super::stripe::Stripe;

/// Stripes of a group, and groups: together all refs of 32 bits.
const GROUP_LEN: usize = 1 << 10;

type Group = Box<[OnceLock<Mutex<Stripe>>]>;

pub struct Stripes {
    groups: Box<[OnceLock<Group>]>,
}

impl Stripes {
    pub fn new() -> Stripes {
        Stripes { groups: (0..GROUP_LEN).map(|_| OnceLock::new()).collect() }
    }

    /// The number of the stripe that holds a ref.
    #[inline]
    pub fn number(r: u32) -> usize {
        r as usize / STRIPE_LEN
    }

    #[inline]
    fn get(&self, number: usize) -> Option<&Mutex<Stripe>> {
        self.groups[number / GROUP_LEN].get()?[number % GROUP_LEN].get()
    }

    /// Locks the stripe of a ref; `None` if no ref of it was ever issued.
    #[inline]
    pub fn lock(&self, r: u32) -> Option<MutexGuard<'_, Stripe>> {
        self.get(Self::number(r)).map(lock)
    }

    /// Locks the stripe of a ref that is being issued.
    pub fn lock_or_make(&self, r: u32) -> MutexGuard<'_, Stripe> {
        let number = Self::number(r);
        let group =
            self.groups[number / GROUP_LEN].get_or_init(|| (0..GROUP_LEN).map(|_| OnceLock::new()).collect());
        lock(group[number % GROUP_LEN].get_or_init(|| Mutex::new(Stripe::new((number * STRIPE_LEN) as u32))))
    }

    /// Every stripe there is, in order of the refs.
    pub fn iter(&self) -> impl Iterator<Item = MutexGuard<'_, Stripe>> {
        let groups = self.groups.iter().filter_map(OnceLock::get);
        groups.flat_map(|group| group.iter()).filter_map(OnceLock::get).map(lock)
    }
}

fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    stripe.lock().expect("no code panics while it holds this lock")
}
