//! Values of a block as the bits that their differences need.
//!
//! A block is the least difference (8 bytes), the power of a thousand that all others are a multiple of above it, the number of
//! bits of each, and these bits. Differences wrap, so that any values can be packed, ascending or not.

/// What clocks tick in, nanoseconds.
const UNITS: [u64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

const HEAD: usize = 10;

/// Bytes after the bits, so that eight can be read at any of them.
const TAIL: usize = 8;

/// From here on a value would not lie in the eight bytes around it, and takes eight of its own.
const MOST_BITS: u32 = 56;

/// Signed differences in an order that unsigned numbers have.
const SIGN: u64 = 1 << 63;

/// Packs the differences of `values` into `out`, whose contents are replaced.
pub(super) fn pack(values: &[u64], out: &mut Vec<u8>) {
    let gaps = || values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) ^ SIGN);
    let least = gaps().min().unwrap_or(SIGN);
    let most = gaps().max().unwrap_or(SIGN) - least;
    let fits = |unit: &&u64| gaps().all(|gap| (gap - least).is_multiple_of(**unit));
    // A finer one that does not fit is no unit of a coarser one that does.
    let power = UNITS[1..].iter().take_while(fits).count();
    let unit = UNITS[power];
    let needed = u64::BITS - (most / unit).leading_zeros();
    let bits = if needed > MOST_BITS { u64::BITS } else { needed };
    out.clear();
    out.extend_from_slice(&least.to_le_bytes());
    out.extend_from_slice(&[power as u8, bits as u8]);
    let (mut held, mut filled) = (0_u128, 0);
    for gap in gaps() {
        held |= u128::from((gap - least) / unit) << filled;
        filled += bits;
        if filled >= u64::BITS {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= u64::BITS;
            filled -= u64::BITS;
        }
    }
    out.extend_from_slice(&(held as u64).to_le_bytes());
    out.extend_from_slice(&[0; TAIL]);
}

/// Puts the `count` values of what [`pack`] has made of them into `values`, whose contents are replaced.
pub(super) fn unpack(packed: &[u8], first: u64, count: usize, values: &mut Vec<u64>) {
    let word = |at: usize| {
        let bytes = packed.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    };
    let least = word(0);
    let unit = UNITS[usize::from(packed[8]) % UNITS.len()];
    let bits = usize::from(packed[9]);
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    values.clear();
    values.reserve(count);
    values.push(first);
    let (mut value, mut at) = (first, 0);
    for _ in 1..count {
        let above = (word(HEAD + at / 8) >> (at % 8)) & mask;
        let gap = least.wrapping_add(above.wrapping_mul(unit)) ^ SIGN;
        value = value.wrapping_add(gap);
        values.push(value);
        at += bits;
    }
}
