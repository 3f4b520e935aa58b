module "m" { source = "./m" }
resource "test_thing" "z" {
  name = "z"
  note = module.m.id
}
moved {
  from = test_thing.a
  to   = module.m.test_thing.a
}
