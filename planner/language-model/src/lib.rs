//! Local language models for the planner.
