"""The traps of AWS, walked into on purpose: a small wrong change to what is shipped meets AWS's own error."""
