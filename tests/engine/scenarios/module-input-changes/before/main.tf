module "m" {
  source = "./m"
  n = "1"
}
