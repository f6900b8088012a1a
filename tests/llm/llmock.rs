//! Against `llmock`, a server of other people that breaks on request. Needs an interpreter with it in RUNMEND_TEST_PYTHON, as `.ci/run`
//! sets it up.
