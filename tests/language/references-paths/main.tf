module "child" {
  source = "./child"
}

output "values" {
  value = [path.module, path.root, basename(path.cwd) != "", terraform.workspace, module.child.path]
}
