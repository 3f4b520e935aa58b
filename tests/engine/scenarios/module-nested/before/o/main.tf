variable "outer" {}
module "i" {
  source   = "./i"
  for_each = toset(["p", "q"])
  n        = "${var.outer}${each.key}"
}
