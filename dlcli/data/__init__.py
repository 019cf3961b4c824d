"""From files to rows: sources, column types, the target, splits and folds, and the sealed test targets."""
