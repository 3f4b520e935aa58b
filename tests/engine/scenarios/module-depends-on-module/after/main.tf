module "one" { source = "./one" }
module "two" {
  source     = "./two"
  depends_on = [module.one]
}
