//! MT19937, as NumPy's `RandomState` and Python's `random` have it.

/// The Mersenne Twister (Matsumoto and Nishimura, ACM TOMACS 8(1), 1998), seeded by one number.
#[derive(Debug)]
pub struct Mersenne {
    state: [u32; 624],
    next: usize,
}

impl Mersenne {
    /// Seeded as `init_genrand` does.
    pub fn new(seed: u32) -> Mersenne {
        let mut state = [seed; 624];
        for index in 1..624 {
            let before: u32 = state[index - 1];
            state[index] = 1_812_433_253_u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(index as u32);
        }
        Mersenne { state, next: 624 }
    }

    fn word(&mut self) -> u32 {
        if self.next == 624 {
            for index in 0..624 {
                let y = (self.state[index] & 0x8000_0000) | (self.state[(index + 1) % 624] & 0x7fff_ffff);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[index] = self.state[(index + 397) % 624] ^ (y >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A number of 53 bits from 0 to 1, as `genrand_res53` makes it.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }
}
