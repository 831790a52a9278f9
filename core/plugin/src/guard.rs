//! The panic guard around every entry into a plugin.
//!
//! A panic that reaches the boundary ends the host process without running any
//! `Drop`. Inside the guard it becomes a fault. The guard catches unwinding
//! only: it needs `panic = "unwind"`, and it cannot catch a stack overflow, an
//! abort or a fault in foreign code (isolation in a process does).

use std::panic::{AssertUnwindSafe, catch_unwind};

use vola_abi::{CallResult, FaultAbi, FaultKind, abi_stable::std_types::RResult};

/// Runs an entry; a panic becomes a fault of kind [`FaultKind::Panic`].
#[doc(hidden)]
pub fn guard<T>(entry: &str, body: impl FnOnce() -> CallResult<T>) -> CallResult<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(payload) => {
            let message = panic_text(payload.as_ref());
            // Dropping a payload may panic again; leaking one is harmless.
            std::mem::forget(payload);
            RResult::RErr(FaultAbi::new(
                FaultKind::Panic,
                format!("the plugin panicked in `{entry}`: {message}"),
            ))
        }
    }
}

/// An author's value that is dropped inside the guard and never used again
/// after a panic.
pub(crate) struct Guarded<T> {
    inner: Option<T>,
    faulted: Option<String>,
}

impl<T> Guarded<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner: Some(inner),
            faulted: None,
        }
    }

    /// The value, for reading outside of any call.
    pub(crate) fn get(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    pub(crate) fn call<R>(
        &mut self,
        entry: &str,
        body: impl FnOnce(&mut T) -> CallResult<R>,
    ) -> CallResult<R> {
        if let Some(reason) = &self.faulted {
            return RResult::RErr(FaultAbi::new(
                FaultKind::Panic,
                format!("not called again after an earlier panic ({reason})"),
            ));
        }
        let Some(inner) = self.inner.as_mut() else {
            return RResult::RErr(FaultAbi::new(FaultKind::Failed, "the plugin was dropped"));
        };
        let result = guard(entry, || body(inner));
        if let RResult::RErr(fault) = &result
            && fault.kind == FaultKind::Panic
        {
            self.faulted = Some(fault.message.to_string());
        }
        result
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let inner = self.inner.take();
        if let RResult::RErr(fault) = guard("drop", move || {
            drop(inner);
            RResult::ROk(())
        }) {
            crate::host::log_fault(&fault.message);
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn fault<T: std::fmt::Debug>(result: CallResult<T>) -> (FaultKind, String) {
        let fault = result.into_result().unwrap_err();
        (fault.kind, fault.message.into_string())
    }

    #[test]
    fn results_pass_and_panics_become_faults() {
        assert_eq!(guard("x", || RResult::ROk(3)).into_result().unwrap(), 3);
        let refused: CallResult<()> =
            guard("x", || RResult::RErr(FaultAbi::new(FaultKind::Input, "no")));
        assert_eq!(fault(refused), (FaultKind::Input, "no".to_owned()));
        for (body, text) in [
            (
                (|| panic!("plain")) as fn() -> CallResult<()>,
                "the plugin panicked in `x`: plain",
            ),
            (
                || panic!("number {}", 7),
                "the plugin panicked in `x`: number 7",
            ),
            (
                || std::panic::panic_any(7_u8),
                "the plugin panicked in `x`: a panic without text",
            ),
        ] {
            assert_eq!(fault(guard("x", body)), (FaultKind::Panic, text.to_owned()));
        }
    }

    #[test]
    fn a_panicked_value_is_never_used_again() {
        let mut value = Guarded::new(0);
        assert!(matches!(
            value.call("a", |v| RResult::ROk(*v + 1)),
            RResult::ROk(1)
        ));
        assert_eq!(
            fault::<()>(value.call("b", |_| panic!("bad"))).0,
            FaultKind::Panic
        );
        let mut called = false;
        let (kind, text) = fault(value.call("c", |_| {
            called = true;
            RResult::ROk(())
        }));
        assert_eq!(kind, FaultKind::Panic);
        assert_eq!(
            text,
            "not called again after an earlier panic (the plugin panicked in `b`: bad)"
        );
        assert!(!called);
    }

    #[test]
    fn an_ordinary_fault_leaves_the_value_usable() {
        let mut value = Guarded::new(0);
        let refused: CallResult<()> = value.call("a", |_| {
            RResult::RErr(FaultAbi::new(FaultKind::Failed, "later"))
        });
        assert_eq!(fault(refused).0, FaultKind::Failed);
        assert!(matches!(
            value.call("b", |v| RResult::ROk(*v)),
            RResult::ROk(0)
        ));
    }

    #[test]
    fn a_panic_in_drop_stays_inside() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                DROPS.fetch_add(1, Ordering::SeqCst);
                panic!("in drop");
            }
        }
        drop(Guarded::new(Bomb));
        // Also after a panic in a call, and for a payload whose own drop panics.
        let mut faulted = Guarded::new(Bomb);
        let payload: CallResult<()> = faulted.call("a", |_| std::panic::panic_any(Bomb));
        assert_eq!(fault(payload).0, FaultKind::Panic);
        drop(faulted);
        assert_eq!(DROPS.load(Ordering::SeqCst), 2);
    }
}
