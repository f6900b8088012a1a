use super::*;

mod corpus;

#[test]
fn runs() {
    let redactor = Redactor::default();
    assert_eq!(redactor.redact("password=hunter2!").text, "password=‹password-1›");
}
