locals {
  itself = [local.itself]
  a      = local.b + 1
  b      = { c = local.c }
  c      = "${local.a}"
  fine   = 1
}
