//! Calls to look at: the first, the slowest, some at random; not the first thousand.
