"""The sections of a report, one file a subject. Each is a function of a run; None where the run tells nothing of it."""
