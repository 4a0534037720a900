//! Pictures as shapes to draw: bars and lines in a box of fixed size, with what each is for who cannot see them.
//!
//! Plain SVG and no charting library: there are two kinds of shapes here, their figures stand beside them as text, and
//! whatever draws is part of the first load that has a budget.

use policy_core::time::{Span, Timestamp};
use proviso_api::past::{DayCount, DayTimes, PicturesReply};

use super::time::length;

/// The box that is drawn in.
pub const WIDTH: f64 = 640.0;
/// Its height.
pub const HEIGHT: f64 = 160.0;
/// What became of requests, from the foot of a bar up.
pub const OUTCOMES: [&str; 4] = ["granted", "denied", "undecided", "open"];

/// One piece of a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What became of it: one of [`OUTCOMES`].
    pub outcome: &'static str,
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What it is, in words.
    pub title: String,
}

/// The day, in words: `2026-11-22`.
pub fn day(from: Timestamp, day: u32) -> String {
    let then = from.plus(Span::from_seconds(u64::from(day).saturating_mul(86_400)));
    then.to_string().get(..10).unwrap_or_default().to_owned()
}

/// The bars of requests by day, of one tier or of all; and the count at the top of the box.
pub fn bars(reply: &PicturesReply, tier: Option<&str>) -> (Vec<Piece>, u32) {
    let of_tier = |count: &&DayCount| tier.is_none_or(|tier| count.tier == tier);
    let days = f64::from(reply.days.max(1));
    let counts = |day: u32, outcome: &str| -> u32 {
        let of = reply.requests.iter().filter(of_tier).filter(|count| count.day == day && count.outcome == outcome);
        of.map(|count| count.count).fold(0, u32::saturating_add)
    };
    let total = |day: u32| OUTCOMES.into_iter().map(|outcome| counts(day, outcome)).fold(0, u32::saturating_add);
    let top = (0..reply.days).map(total).max().unwrap_or(0).max(1);
    let wide = WIDTH / days;
    let mut pieces = Vec::new();
    for at in 0..reply.days {
        let mut foot = HEIGHT;
        for outcome in OUTCOMES {
            let count = counts(at, outcome);
            if count == 0 {
                continue;
            }
            let height = HEIGHT * f64::from(count) / f64::from(top);
            foot -= height;
            pieces.push(Piece {
                outcome,
                x: f64::from(at) * wide + wide * 0.1,
                y: foot,
                width: wide * 0.8,
                height,
                title: format!("{}: {count} {outcome}", day(reply.from, at)),
            });
        }
    }
    (pieces, top)
}

/// A line through the days that have a time, as the points of an SVG `polyline`, a short one where only one day has; and
/// the time at the top of the box.
pub fn line(times: &[DayTimes], days: u32, read: fn(&DayTimes) -> u64) -> (String, u64) {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a few months")]
    fn height(seconds: u64, top: u64) -> f64 {
        HEIGHT - HEIGHT * seconds as f64 / top as f64
    }
    let top = times.iter().map(|day| day.times.most).max().unwrap_or(0).max(1);
    let wide = WIDTH / f64::from(days.max(1));
    let points = times.iter().map(|day| {
        let x = f64::from(day.day) * wide + wide / 2.0;
        format!("{x:.1},{:.1}", height(read(day), top))
    });
    let mut points: Vec<String> = points.collect();
    if let [times] = times {
        // A line of one point is not drawn.
        let x = f64::from(times.day) * wide + wide;
        points.push(format!("{x:.1},{:.1}", height(read(times), top)));
    }
    (points.join(" "), top)
}

/// Seconds in words.
pub fn seconds(seconds: u64) -> String {
    length(Span::from_seconds(seconds))
}

/// A part in whole per cent; nothing of nothing.
pub fn percent(count: u64, of: u64) -> Option<u64> {
    (of > 0).then(|| count.saturating_mul(100) / of)
}

/// The tiers that there are requests of, in the order of their first.
pub fn tiers(reply: &PicturesReply) -> Vec<String> {
    let mut tiers: Vec<String> = Vec::new();
    for count in &reply.requests {
        if !tiers.contains(&count.tier) {
            tiers.push(count.tier.clone());
        }
    }
    tiers
}

#[cfg(test)]
mod tests {
    use proviso_api::past::{Narrowed, Part, Times};

    use super::*;
    use crate::view_model::samples::at;

    fn reply() -> PicturesReply {
        let count =
            |day, tier: &str, outcome: &str, count| DayCount { day, tier: tier.into(), outcome: outcome.into(), count };
        PicturesReply {
            now: at(0),
            position: 1,
            from: "2026-11-20T00:00:00Z".parse().expect("an instant"),
            days: 4,
            requests: vec![count(0, "low", "granted", 3), count(0, "high", "denied", 1), count(3, "low", "open", 2)],
            times: vec![],
            yours: None,
            teams: vec![],
            recurring: vec![],
            narrowed: Narrowed::default(),
            unused: Part::default(),
            dispositions: vec![],
            not_judged: 0,
        }
    }

    #[test]
    fn bars_stand_on_one_another_and_never_leave_the_box() {
        let (pieces, top) = bars(&reply(), None);
        assert_eq!((pieces.len(), top), (3, 4));
        assert!(pieces.iter().all(|piece| piece.x >= 0.0 && piece.x + piece.width <= WIDTH));
        assert!(pieces.iter().all(|piece| piece.y >= 0.0 && piece.y + piece.height <= HEIGHT + 0.001));
        assert!((pieces[0].height - 120.0).abs() < 0.001 && (pieces[1].y - 0.0).abs() < 0.001);
        assert_eq!(pieces[2].title, "2026-11-23: 2 open");
        let (low, top) = bars(&reply(), Some("low"));
        assert_eq!((low.len(), top), (2, 3));
        assert_eq!(tiers(&reply()), ["low", "high"]);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let nothing = PicturesReply { requests: vec![], ..reply() };
        assert_eq!(bars(&nothing, None), (vec![], 1));
        assert_eq!(line(&[], 4, |day| day.times.half), (String::new(), 1));
        assert_eq!((percent(1, 0), percent(1, 3)), (None, Some(33)));
    }

    #[test]
    fn a_line_has_a_point_for_each_day_with_a_time() {
        let day = |day, half, most| DayTimes { day, times: Times { decided: 1, half, most } };
        let (points, top) = line(&[day(0, 30, 60), day(3, 60, 120)], 4, |day| day.times.half);
        assert_eq!((points.as_str(), top), ("80.0,120.0 560.0,80.0", 120));
        let (points, _) = line(&[day(3, 60, 120)], 4, |day| day.times.half);
        assert_eq!(points, "560.0,80.0 640.0,80.0", "one day alone is seen, too");
    }
}
