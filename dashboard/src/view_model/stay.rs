//! Work that is done for a page ends with it: after an answer came, what the page held may be gone.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Does `work` for as long as `is_over` says no: it is asked each time before the work goes on. Of work that was left
/// nothing comes, and nothing of it is run any more.
pub async fn during<T>(is_over: impl Fn() -> bool, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match is_over() {
        true => Poll::Ready(None),
        false => work.as_mut().poll(context).map(Some),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::{Context, Waker};

    use super::*;

    /// An answer that is there at the second asking.
    async fn answer() -> u32 {
        let mut asked = false;
        poll_fn(|_| {
            let before = std::mem::replace(&mut asked, true);
            if before { Poll::Ready(7) } else { Poll::Pending }
        })
        .await
    }

    #[test]
    fn what_was_waited_for_is_read_while_somebody_is_there() {
        let mut work = pin!(during(|| false, async { answer().await + 1 }));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(work.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(work.as_mut().poll(&mut context), Poll::Ready(Some(8)));
    }

    #[test]
    fn nothing_is_read_after_the_page_was_left() {
        let (left, read) = (Cell::new(false), Cell::new(false));
        let mut work = pin!(during(|| left.get(), async {
            answer().await;
            read.set(true);
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(work.as_mut().poll(&mut context), Poll::Pending);
        left.set(true);
        assert_eq!(work.as_mut().poll(&mut context), Poll::Ready(None));
        assert!(!read.get());
    }

    #[test]
    fn work_for_a_page_that_is_gone_is_not_begun() {
        let begun = Cell::new(false);
        let mut work = pin!(during(|| true, async { begun.set(true) }));
        assert_eq!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
        assert!(!begun.get());
    }
}
