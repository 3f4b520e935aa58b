variable "size" {
  default = 7
}

locals {
  replaced = "override"
}

resource "terraform_data" "a" {
  input = "override"
}
