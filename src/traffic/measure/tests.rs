use super::*;
use crate::time::Span;
use crate::traffic::{Quantity, Trace};

fn requests(instants_ms: &[u64]) -> Recorded {
    let trace = Trace { instants: instants_ms.iter().map(|ms| ms * 1_000_000).collect(), ..Trace::default() };
    Recorded::Requests(Requests {
        trace,
        origin: None,
        some_durations: Packed::default(),
        durations_include_waiting: false,
    })
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
}

#[test]
fn even_arrivals_have_no_variation_and_a_rate_of_rows_over_span() {
    let measured = measure(&requests(&(0..101).map(|n| n * 500).collect::<Vec<_>>()));
    close(measured.mean_rate, 101.0 / 50.0);
    close(measured.interarrival_cv.unwrap(), 0.0);
    let second = measured.dispersion.iter().find(|one| one.window_s == 1.0).unwrap();
    close(second.index, 0.0);
    assert_eq!(second.windows, 50, "the window that is only begun is left out");
    close(measured.peaks[0].rate, 2.0);
    assert!(measured.gaps.is_empty());
}

#[test]
fn percentiles_are_interpolated_between_ranks() {
    let spread = Spread::of_column(&[40, 10, 30, 20].into_iter().collect(), 10.0).unwrap();
    close(spread.p50, 2.5);
    close(spread.p90, 3.7);
    close(spread.cv, 1.25_f64.sqrt() / 2.5);
    assert_eq!(Spread::of_column(&Packed::default(), 1.0), None);
}

#[test]
fn an_interval_without_a_value_counts_for_nothing() {
    let counts: Vec<f64> = (0..20).map(|row| if row == 3 { f64::NAN } else { 60.0 }).collect();
    let series =
        Series { origin: Some(0), interval: Span::from_secs(60), counts, quantity: Quantity::Counts };
    let measured = measure(&Recorded::Series(series));
    close(measured.mean_rate, 1.0);
    close(measured.requests, 19.0 * 60.0);
    close(measured.dispersion[0].index, 0.0);
    assert_eq!(measured.gaps, [Gap { seconds: 60.0, from: "1970-01-01T00:03:00Z".into() }]);
}

#[test]
fn a_profile_tells_hours_and_days() {
    // A request a minute on Thursday (1970-01-01) and Friday, two on other days of a week; noon has ten.
    let counts: Vec<f64> = (0..8 * 1440)
        .map(|minute| match (minute / 1440, minute / 60 % 24) {
            (_, 12) => 10.0,
            (0 | 1 | 7, _) => 1.0,
            _ => 2.0,
        })
        .collect();
    let series =
        Series { origin: Some(0), interval: Span::from_secs(60), counts, quantity: Quantity::Counts };
    let profile = measure(&Recorded::Series(series)).profile;
    close(profile.hours[12], 10.0 / 60.0);
    close(profile.hours[0], (3.0 + 5.0 * 2.0) / 8.0 / 60.0);
    close(profile.days[3], (23.0 + 10.0) / 24.0 / 60.0);
    close(profile.days[0], (46.0 + 10.0) / 24.0 / 60.0);
}

#[test]
fn requests_decades_apart_are_measured_without_going_through_every_second() {
    const DECADES_MS: u64 = 90 * 365 * 86_400_000;
    let measured =
        measure(&requests(&[0, 400, 900, 5_000, DECADES_MS, DECADES_MS + 1, DECADES_MS + 2, DECADES_MS + 3]));
    let rates: Vec<f64> = measured.peaks.iter().map(|peak| peak.rate).collect();
    close(rates[0], 4.0);
    close(rates[1], 4.0 / 60.0);
    assert!(measured.peaks[0].at.starts_with("28382400"), "{}", measured.peaks[0].at);
    assert_eq!(measured.peaks[1].at, "0 s", "the first of equal ones");
}
