-- Also when nothing had to run: an index may have been left invalid by somebody else.
call pg_temp.refuse_invalid_indexes();
