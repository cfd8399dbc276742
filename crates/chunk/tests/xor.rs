//! The XOR encoding against its naive twin, and against bytes written down from the format.

use chunk::{Encoding, Error, HEADER_LEN, XorAppender, decode, decode_xor, encode_xor, naive, num_samples};
use model::{STALE_NAN, TimeRange};

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Samples of every kind the format has a branch for; timestamps rise.
fn samples(rng: &mut Rng, count: usize) -> Vec<(i64, f64)> {
    let mut t = rng.below(1 << 42) as i64 - (1 << 41);
    let mut delta = 1 + rng.below(60_000) as i64;
    let mut v = rng.below(1000) as f64;
    let calm = rng.below(2) == 0;
    let mut out = Vec::new();
    for _ in 0..count {
        out.push((t, v));
        match rng.below(if calm { 60 } else { 8 }) {
            0 => delta = 1 + rng.below(1 << 13) as i64,
            1 => delta = 1 + rng.below(1 << 16) as i64,
            2 => delta = 1 + rng.below(1 << 20) as i64,
            3 => delta = 1 + rng.below(1 << 40) as i64,
            _ => {}
        }
        t += delta;
        match rng.below(if calm { 20 } else { 6 }) {
            0 => v += 1.0,
            1 => v = f64::from_bits(rng.next()),
            2 => v = -v,
            3 => v = [STALE_NAN, f64::INFINITY, 0.0, -0.0, f64::MIN_POSITIVE][rng.below(5) as usize],
            _ => {}
        }
    }
    out
}

fn bits(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
    samples.iter().map(|&(t, v)| (t, v.to_bits())).collect()
}

fn columns(payload: &[u8], num: u16, range: TimeRange) -> Result<Vec<(i64, u64)>, Error> {
    let (mut ts, mut vs) = (vec![7], vec![7.0]);
    let result = decode_xor(payload, num, range, &mut ts, &mut vs);
    assert_eq!((ts[0], vs[0], ts.len()), (7, 7.0, vs.len()), "what was there before stays");
    if result.is_err() {
        assert_eq!(ts.len(), 1, "an error leaves the columns as they were");
    }
    result.map(|()| ts[1..].iter().copied().zip(vs[1..].iter().map(|v| v.to_bits())).collect())
}

#[test]
fn both_decoders_give_back_what_was_appended() {
    for seed in 0..2000 {
        let mut rng = Rng(seed);
        let count = rng.below(300) as usize;
        let wanted = samples(&mut rng, count);
        let data = encode_xor(&wanted);
        assert_eq!(num_samples(&data), Ok(count as u16));
        let payload = &data[HEADER_LEN..];
        let slow = naive::decode_xor(payload, count as u16).expect("naive");
        assert_eq!(bits(&slow), bits(&wanted), "naive, seed {seed}");
        assert_eq!(columns(payload, count as u16, TimeRange::ALL), Ok(bits(&wanted)), "fast, seed {seed}");
    }
}

#[test]
fn only_the_samples_of_the_range_are_kept() {
    for seed in 0..500 {
        let mut rng = Rng(seed);
        let all = samples(&mut rng, 120);
        let data = encode_xor(&all);
        let pick = |rng: &mut Rng| all[rng.below(120) as usize].0 + rng.below(3) as i64 - 1;
        let range = TimeRange::new(pick(&mut rng), pick(&mut rng));
        let wanted: Vec<_> = all.iter().copied().filter(|s| range.contains(s.0)).collect();
        assert_eq!(columns(&data[2..], 120, range), Ok(bits(&wanted)), "seed {seed}, {range:?}");
    }
}

#[test]
fn an_appender_resumes_where_the_bytes_end() {
    for seed in 0..500 {
        let mut rng = Rng(seed);
        let all = samples(&mut rng, 100);
        let cut = rng.below(100) as usize;
        let mut data = encode_xor(&all[..cut]);
        let mut resumed = XorAppender::resume(&data[HEADER_LEN..], cut as u16).expect("resume");
        assert_eq!(resumed.last().map(|s| (s.t, s.v.to_bits())), bits(&all[..cut]).last().copied());
        for &(t, v) in &all[cut..] {
            resumed.append(t, v, &mut data);
        }
        data[..HEADER_LEN].copy_from_slice(&resumed.header());
        assert_eq!(data, encode_xor(&all), "seed {seed}, cut at {cut}");
    }
}

#[test]
fn damage_is_an_error_and_both_decoders_agree_about_it() {
    for seed in 0..3000 {
        let mut rng = Rng(seed);
        let mut data = encode_xor(&samples(&mut rng, 60));
        for _ in 0..1 + rng.below(4) {
            let at = 2 + rng.below(data.len() as u64 - 2) as usize;
            data[at] ^= 1 << rng.below(8);
        }
        data.truncate(2 + rng.below(data.len() as u64) as usize);
        let slow = naive::decode_xor(&data[2..], 60);
        let fast = columns(&data[2..], 60, TimeRange::ALL);
        match (&slow, &fast) {
            (Ok(slow), Ok(fast)) => assert_eq!(&bits(slow), fast, "seed {seed}"),
            (Err(_), Err(_)) => {}
            // A window never declared: the naive decoder takes it for 64 bits too, so there is no other case.
            _ => panic!("seed {seed}: naive {:?}, fast {:?}", slow.is_ok(), fast.is_ok()),
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_format() {
    // 15 s apart from t = 1000: varint 1000 is 0xd0 0x0f, uvarint 15000 is 0x98 0x75; then equal value, dod 0 twice.
    let data = encode_xor(&[(1000, 1.0), (16_000, 1.0), (31_000, 1.0)]);
    assert_eq!(data, [0, 3, 0xd0, 0x0f, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x98, 0x75, 0b0000_0000]);
    // 1.0 to 2.0: xor 0x7ff0… has 1 leading zero and 11 significant bits: 11 00001 001011 11111111111.
    let data = encode_xor(&[(0, 1.0), (1, 2.0)]);
    assert_eq!(data[11..], [1, 0b1100_0010, 0b0101_1111, 0b1111_1111]);
    // dod +1: 10 and 14 bits.
    let data = encode_xor(&[(0, 1.0), (1, 1.0), (3, 1.0)]);
    assert_eq!(data[11..], [1, 0b0100_0000, 0b0000_0000, 0b1000_0000]);
}

#[test]
fn other_encodings_are_named() {
    let (mut ts, mut vs) = (Vec::new(), Vec::new());
    let error = decode(Encoding::Xor2, &[0, 0], TimeRange::ALL, &mut ts, &mut vs).expect_err("XOR2");
    assert_eq!(error.to_string(), "not supported: chunk encoding 4");
    assert_eq!(Encoding::from_byte(9), Err(Error::NotSupported(9)));
    assert!(matches!(num_samples(&[1]), Err(Error::Damaged(_))));
}

#[test]
fn a_count_the_bytes_cannot_hold_is_refused_before_memory_is_taken() {
    let data = encode_xor(&[(0, 1.0), (1, 1.0)]);
    assert!(matches!(columns(&data[2..], u16::MAX, TimeRange::ALL), Err(Error::Damaged(_))));
}
