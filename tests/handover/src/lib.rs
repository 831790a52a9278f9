//! Nothing: what is tested lies in `core/runtime`, see `tests/handover.rs`.
