//! The check of the clock drift between machines, as far as tokens need it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Report;

/// Reports the drift of the clock of `whose`. The local clock was read before and after the
/// remote one, which may be rounded down to `coarse`: only a difference that neither explains
/// counts.
pub fn clock_drift(
    report: &mut Report,
    whose: &str,
    local: [DateTime<Utc>; 2],
    remote: DateTime<Utc>,
    coarse: TimeDelta,
    leeway: Duration,
) {
    let ahead = remote - local[1];
    let behind = local[0] - (remote + coarse);
    let difference = ahead.max(behind).max(TimeDelta::zero());
    let side = if ahead >= behind { "ahead of" } else { "behind" };
    let leeway = TimeDelta::from_std(leeway).unwrap_or(TimeDelta::MAX);
    let seconds = difference.as_seconds_f64();
    if difference > leeway {
        report.fault(
            "clock",
            format!(
                "{whose} is {seconds:.1} s {side} this machine, more than JWT_LEEWAY: tokens \
                 are refused; let NTP set both clocks"
            ),
        );
    } else if difference > (leeway / 3).max(TimeDelta::seconds(1)) {
        report.warn(
            "clock",
            format!("{whose} is {seconds:.1} s {side} this machine; let NTP set both clocks"),
        );
    } else {
        report.ok("clock", format!("{whose} has the same time, to {seconds:.1} s"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Verdict;

    #[test]
    fn only_drift_beyond_the_round_trip_counts() {
        let at =
            |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time");
        let judge = |remote: i64| {
            let mut report = Report::default();
            let second = TimeDelta::seconds(1);
            clock_drift(
                &mut report,
                "it",
                [at(0), at(2)],
                at(remote),
                second,
                Duration::from_secs(15),
            );
            report.findings()[0].verdict
        };
        for (remote, verdict) in [
            (-17, Verdict::Fault),
            (-16, Verdict::Warn),
            (-7, Verdict::Warn),
            (-6, Verdict::Ok),
            (1, Verdict::Ok),
            (7, Verdict::Ok),
            (8, Verdict::Warn),
            (17, Verdict::Warn),
            (18, Verdict::Fault),
        ] {
            assert_eq!(judge(remote), verdict, "{remote}");
        }
    }
}
