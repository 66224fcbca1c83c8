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
    let (least, most) =
        gaps(values).fold((u64::MAX, 0), |(least, most), gap| (least.min(gap), most.max(gap)));
    let (least, most) = if least > most { (SIGN, SIGN) } else { (least, most) };
    // A finer one that does not fit is no unit of a coarser one that does. Each is a constant where it divides: a division by what is
    // not known beforehand costs more than all else here.
    let power = match () {
        () if !all_are_multiples::<{ UNITS[1] }>(values, least) => 0,
        () if !all_are_multiples::<{ UNITS[2] }>(values, least) => 1,
        () if !all_are_multiples::<{ UNITS[3] }>(values, least) => 2,
        () => 3,
    };
    let needed = u64::BITS - ((most - least) / UNITS[power]).leading_zeros();
    let bits = if needed > MOST_BITS { u64::BITS } else { needed };
    out.clear();
    out.extend_from_slice(&least.to_le_bytes());
    out.extend_from_slice(&[power as u8, bits as u8]);
    match power {
        0 => put::<{ UNITS[0] }>(values, least, bits, out),
        1 => put::<{ UNITS[1] }>(values, least, bits, out),
        2 => put::<{ UNITS[2] }>(values, least, bits, out),
        _ => put::<{ UNITS[3] }>(values, least, bits, out),
    }
    out.extend_from_slice(&[0; TAIL]);
}

/// The differences of values next to each other, in the order of unsigned numbers.
fn gaps(values: &[u64]) -> impl Iterator<Item = u64> + '_ {
    values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]) ^ SIGN)
}

fn all_are_multiples<const UNIT: u64>(values: &[u64], least: u64) -> bool {
    gaps(values).all(|gap| (gap - least).is_multiple_of(UNIT))
}

/// Adds so many bits of each difference to `out`.
fn put<const UNIT: u64>(values: &[u64], least: u64, bits: u32, out: &mut Vec<u8>) {
    let (mut held, mut filled) = (0_u128, 0);
    for gap in gaps(values) {
        held |= u128::from((gap - least) / UNIT) << filled;
        filled += bits;
        if filled >= u64::BITS {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= u64::BITS;
            filled -= u64::BITS;
        }
    }
    out.extend_from_slice(&(held as u64).to_le_bytes());
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
    values.extend((1..count).map(|_| {
        let above = (word(HEAD + at / 8) >> (at % 8)) & mask;
        let gap = least.wrapping_add(above.wrapping_mul(unit)) ^ SIGN;
        value = value.wrapping_add(gap);
        at += bits;
        value
    }));
}
