//! Which rows of a long list are drawn: those in the window and some around it. The others are empty room of their height.

/// How many rows beyond the window are drawn on either side.
const AROUND: usize = 12;

/// The rows to draw, from `first` up to `last`, that one not included, and the room above and below.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    /// The first row.
    pub first: usize,
    /// The one behind the last.
    pub last: usize,
    /// The height of the rows above, in pixels.
    pub above: f64,
    /// The height of the rows below.
    pub below: f64,
}

/// The rows of a list of `count` rows of one height that a window sees. `scrolled` is how far the list's top lies above
/// the window's.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "numbers of rows and pixels are far below 2^52, and none is negative here"
)]
pub fn window(count: usize, row: f64, scrolled: f64, height: f64) -> Window {
    if row <= 0.0 {
        let last = count.min(AROUND.saturating_mul(2));
        return Window { first: 0, last, above: 0.0, below: 0.0 };
    }
    let top = (scrolled.max(0.0) / row).floor() as usize;
    let seen = (height.max(0.0) / row).ceil() as usize;
    let first = top.saturating_sub(AROUND).min(count);
    let last = top.saturating_add(seen).saturating_add(AROUND).min(count).max(first);
    let below = count.saturating_sub(last);
    Window { first, last, above: first as f64 * row, below: below as f64 * row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_thousands_only_those_around_the_window_are_drawn() {
        let seen = window(5_000, 60.0, 60_000.0, 900.0);
        assert_eq!((seen.first, seen.last), (988, 1_027));
        assert!((seen.above + seen.below + 60.0 * 39.0 - 300_000.0).abs() < 0.5, "the list keeps its height");
    }

    #[test]
    fn the_ends_are_the_ends() {
        assert_eq!(window(5, 60.0, 0.0, 900.0), Window { first: 0, last: 5, above: 0.0, below: 0.0 });
        assert_eq!(window(5, 60.0, -400.0, 900.0).first, 0, "the list begins below the top");
        let end = window(100, 60.0, 1e9, 900.0);
        assert_eq!((end.first, end.last), (100, 100));
        assert_eq!(window(0, 60.0, 0.0, 900.0), Window::default());
        assert_eq!(window(1_000, 0.0, 0.0, 900.0).last, 24, "before a row was measured");
    }
}
