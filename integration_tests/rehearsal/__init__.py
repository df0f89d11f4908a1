"""`make rehearsal`: `pytest integration_tests --live`, unchanged, where AWS's names lead to local_aws."""
