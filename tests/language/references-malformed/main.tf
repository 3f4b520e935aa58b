output "references" {
  value = [
    var,
    local,
    module,
    data.aws_region,
    data,
    each,
    each.index,
    count,
    count.key,
    path,
    path.modul,
    terraform,
    terraform.version,
    self,
    bare,
    var["a"],
    local[0],
    tofu.workspace,
  ]
}
