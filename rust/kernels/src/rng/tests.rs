use super::*;
use crate::testing::Tensor;
use crate::threads;

const KEY: Key = Key { seed: 0x1234_5678_9abc_def0, offset: 40 };

fn floats(n: usize, run: impl Fn(Arg)) -> Vec<f32> {
    let t = Tensor::new(&vec![9f32; n], &[n]);
    run(t.arg());
    t.values()
}

fn moments(x: &[f64]) -> [f64; 4] {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let central = |p| x.iter().map(|x| (x - mean).powi(p)).sum::<f64>() / n;
    let std = central(2).sqrt();
    [mean, std, central(3) / std.powi(3), central(4) / std.powi(4)]
}

#[test]
fn an_element_depends_on_its_index_alone() {
    threads::set_num_threads(4);
    let long = floats(300_001, |out| normal(KEY, 1.0, 2.0, out));
    for n in [0, 1, 31, 32, 63, 64, 65, 511, 513, 1000] {
        assert_eq!(floats(n, |out| normal(KEY, 1.0, 2.0, out)), long[..n]);
    }
    // A stream that begins one group later.
    let later = Key { offset: KEY.offset + LANES as u64, ..KEY };
    assert_eq!(floats(500, |out| normal(later, 1.0, 2.0, out)), long[GROUP..GROUP + 500]);
}

#[test]
fn calls_one_after_another_share_no_block() {
    assert_eq!(blocks(0, DType::F32), 0);
    assert!(blocks(1, DType::F32) >= 1 && blocks(33, DType::F64) == 32);
}

#[test]
fn normals_have_the_moments_of_the_normal_distribution() {
    let n = 1 << 20;
    let single: Vec<f64> =
        floats(n, |out| normal(KEY, 0.0, 1.0, out)).into_iter().map(f64::from).collect();
    let t = Tensor::new(&vec![0f64; n], &[n]);
    normal(KEY, 0.0, 1.0, t.arg());
    for x in [single, t.values::<f64>()] {
        let [mean, std, skew, kurtosis] = moments(&x);
        assert!(mean.abs() < 4e-3 && (std - 1.0).abs() < 3e-3, "{mean} {std}");
        assert!(skew.abs() < 0.01 && (kurtosis - 3.0).abs() < 0.02, "{skew} {kurtosis}");
        let beyond = x.iter().filter(|x| x.abs() > 2.0).count() as f64 / n as f64;
        assert!((beyond - 0.0455).abs() < 1e-3, "{beyond}");
    }
}

#[test]
fn uniforms_stay_inside_and_are_even() {
    let x = floats(1 << 20, |out| uniform(KEY, -2.0, 3.0, out));
    assert!(x.iter().all(|x| (-2.0..3.0).contains(x)));
    let [mean, std, ..] = moments(&x.into_iter().map(f64::from).collect::<Vec<_>>());
    assert!((mean - 0.5).abs() < 0.01 && (std - 5.0 / 12f64.sqrt()).abs() < 0.01);
    // Rounding would reach the end of so narrow a range.
    let narrow = floats(1 << 16, |out| uniform(KEY, 1.0, 1.0 + 2.0 * f64::from(f32::EPSILON), out));
    assert!(narrow.iter().all(|&x| x < 1.0 + 2.0 * f32::EPSILON));
    assert_eq!(floats(5, |out| uniform(KEY, 4.0, 4.0, out)), [4.0; 5]);
    let t = Tensor::new(&[0f64; 1000], &[1000]);
    uniform(KEY, 0.0, 1.0, t.arg());
    assert!(t.values::<f64>().iter().all(|x| (0.0..1.0).contains(x)));
}

#[test]
fn hits_are_as_frequent_as_asked() {
    for p in [0.0, 0.1, 0.75, 1.0] {
        let x = floats(1 << 18, |out| bernoulli(KEY, p, 1.5, out));
        assert!(x.iter().all(|&x| x == 0.0 || x == 1.5));
        let rate = x.iter().filter(|&&x| x != 0.0).count() as f64 / x.len() as f64;
        assert!((rate - p).abs() < 4e-3 && (p != 1.0 || rate == 1.0), "{p} {rate}");
    }
    let t = Tensor::new(&[9u8; 100], &[100]);
    bernoulli(KEY, 0.5, 1.0, Arg::new(&t.buffer, DType::Bool, &t.layout));
    assert!(t.values::<u8>().iter().all(|&x| x < 2));
}

#[test]
fn integers_cover_their_range_evenly() {
    let t = Tensor::new(&vec![0i64; 1 << 18], &[1 << 18]);
    integers(KEY, -3, 4, t.arg());
    let mut counts = [0f64; 7];
    t.values::<i64>().iter().for_each(|x| counts[(x + 3) as usize] += 1.0);
    let even = (1 << 18) as f64 / 7.0;
    assert!(counts.iter().all(|c| (c / even - 1.0).abs() < 0.02), "{counts:?}");
    integers(KEY, i64::MIN, i64::MAX, t.arg());
    let mean = t.values::<i64>().iter().map(|&x| x as f64 / 2f64.powi(63)).sum::<f64>();
    assert!((mean / (1 << 18) as f64).abs() < 0.01);
    let b = Tensor::new(&vec![0u8; 10_000], &[10_000]);
    integers(KEY, 250, 256, b.arg());
    assert!((250..=255u8).all(|k| b.values::<u8>().contains(&k)));
}

#[test]
fn permutations_are_permutations_and_differ() {
    for n in [0, 1, 2, 100, 1000] {
        let t = Tensor::new(&vec![0i64; n], &[n]);
        permutation(KEY, t.arg());
        let mut x = t.values::<i64>();
        assert!(n < 100 || x.iter().enumerate().filter(|&(i, &x)| i as i64 == x).count() < 10);
        x.sort_unstable();
        assert!(x.iter().enumerate().all(|(i, &x)| i as i64 == x));
    }
    let mut firsts = [0; 4];
    for offset in 0..4000 {
        let t = Tensor::new(&[0i64; 4], &[4]);
        permutation(Key { seed: 1, offset: offset * 100 }, t.arg());
        firsts[t.values::<i64>()[0] as usize] += 1;
    }
    assert!(firsts.iter().all(|&n| (900..1100).contains(&n)), "{firsts:?}");
}
