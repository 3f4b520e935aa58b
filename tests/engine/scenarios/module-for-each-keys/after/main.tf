module "m" {
  source = "./m"
  for_each = toset(["y", "z"])
  n = each.key
}
