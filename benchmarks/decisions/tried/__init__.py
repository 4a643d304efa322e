"""What was tried for better decisions, on train speakers alone."""
