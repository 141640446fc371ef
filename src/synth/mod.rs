//! Labelled captures made by code: the demo and the datasets that prove each rule.
