"""`waybill-admin`: commands of operators that need the stores themselves."""
