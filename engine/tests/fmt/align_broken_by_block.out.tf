locals {
  a = 1
  inner {
    b = 2
  }
  long_name = 3
}
