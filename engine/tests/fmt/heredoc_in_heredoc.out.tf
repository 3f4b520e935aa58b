a = <<OUTER
x ${f(<<INNER
  OUTER
INNER
)} y
  OUTER
