"""Model of two regions: what each failure loses or doubles, with the operators' procedure and without."""
