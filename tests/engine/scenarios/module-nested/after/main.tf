module "o" {
  source   = "./o"
  for_each = toset(["x", "y"])
  outer    = each.key
}
