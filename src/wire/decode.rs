//! Reads answers tolerantly: unknown fields are ignored, numbers may be strings, `null` is an
//! empty list, a missing optional field is absent. What is needed and missing is an error that
//! names the field and says what came instead.
