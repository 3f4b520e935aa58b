module "m" { source = "./m" }
resource "test_thing" "top" {
  name = "top"
  note = module.m.id
}
