module "child" {
  source = "./child"
  old    = "x"
}

module "without" {
  source = "./child"
}

output "uses_old" {
  value = module.child.old
}

output "uses_new" {
  value = module.child.new
}

output "all" {
  value = module.child
}
