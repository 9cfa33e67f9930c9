"""The reports of the policy pack: one model, rendered as JSON, SARIF, JUnit and a control matrix."""
