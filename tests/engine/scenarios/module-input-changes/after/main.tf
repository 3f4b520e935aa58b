module "m" {
  source = "./m"
  n = "2"
}
