module "m" {
  source = "./m"
  count = 3
  n = count.index
}
