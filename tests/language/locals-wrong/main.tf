locals {
  a = 1
  b = var.missing

  nested {
    c = 1
  }
}

locals {
  a = 3
}
