//! Whether two clocks agree, as far as tokens need it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Report;

/// Notes how far the clock of `whose` is from ours. `ours` was read before and after
/// theirs, which may be `coarse`ly rounded down: only what neither explains counts.
pub fn drift(
    report: &mut Report,
    whose: &str,
    ours: [DateTime<Utc>; 2],
    theirs: DateTime<Utc>,
    coarse: TimeDelta,
    leeway: Duration,
) {
    let ahead = theirs - ours[1];
    let behind = ours[0] - (theirs + coarse);
    let apart = ahead.max(behind).max(TimeDelta::zero());
    let side = if ahead >= behind { "ahead of" } else { "behind" };
    let leeway = TimeDelta::from_std(leeway).unwrap_or(TimeDelta::MAX);
    let seconds = apart.as_seconds_f64();
    if apart > leeway {
        report.fault(
            "clock",
            format!(
                "{whose} is {seconds:.1} s {side} this machine, more than JWT_LEEWAY: tokens \
                 are refused; let NTP set both clocks"
            ),
        );
    } else if apart > (leeway / 3).max(TimeDelta::seconds(1)) {
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
    fn only_what_the_question_itself_does_not_explain_counts() {
        let at =
            |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time");
        let judge = |theirs: i64| {
            let mut report = Report::default();
            let second = TimeDelta::seconds(1);
            drift(&mut report, "it", [at(0), at(2)], at(theirs), second, Duration::from_secs(15));
            report.findings()[0].verdict
        };
        for (theirs, verdict) in [
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
            assert_eq!(judge(theirs), verdict, "{theirs}");
        }
    }
}
