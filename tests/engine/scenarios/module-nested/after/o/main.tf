variable "outer" {}
module "i" {
  source   = "./i"
  for_each = var.outer == "x" ? toset(["p"]) : toset(["p", "q"])
  n        = "${var.outer}${each.key}"
}
