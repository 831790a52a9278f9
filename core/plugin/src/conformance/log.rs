//! The kit's own log sink, which hears of faults in `Drop`.

use std::cell::RefCell;

use vola_abi::{
    HostData, HostServicesAbi, LogLevel,
    abi_stable::std_types::{RStr, RString},
};

thread_local! {
    static ERRORS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn collect(level: LogLevel, _target: RStr<'_>, message: RStr<'_>) {
    if level == LogLevel::Error {
        // At the end of a thread there is nobody left to tell.
        let _ = ERRORS.try_with(|errors| {
            if let Ok(mut errors) = errors.try_borrow_mut() {
                errors.push(message.to_string());
            }
        });
    }
}

/// Host services that log here.
pub(super) fn services(data: &HostData) -> HostServicesAbi {
    let data = serde_json::to_string(data).unwrap_or_else(|_never| "{}".to_owned());
    HostServicesAbi {
        log: collect,
        data: RString::from(data),
    }
}

/// Errors logged on this thread since the last call.
pub(super) fn take_errors() -> Vec<String> {
    ERRORS.try_with(|errors| errors.take()).unwrap_or_default()
}
