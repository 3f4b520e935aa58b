provider "kubernetes" {
  host = terraform_data.host.output
}

resource "terraform_data" "host" {
  input = "https://127.0.0.1"
}

variable "containers" {
  default = [
    { name = "a", ports = [80, 81], env = { X = "1" } },
    { name = "b", ports = [], env = {} },
  ]
}

resource "kubernetes_deployment_v1" "d" {
  metadata {
    name = "d"
  }

  spec {
    selector {
      match_labels = { app = "d" }
    }

    template {
      metadata {
        labels = { app = "d" }
      }

      spec {
        dynamic "container" {
          for_each = var.containers
          iterator = c

          content {
            name  = c.value.name
            image = "image-${c.key}"

            dynamic "port" {
              for_each = c.value.ports

              content {
                container_port = port.value
                name           = "${c.value.name}-${port.key}"
              }
            }

            dynamic "env" {
              for_each = c.value.env

              content {
                name = env.key

                dynamic "value_from" {
                  for_each = [c.value.name]

                  content {
                    dynamic "field_ref" {
                      for_each = [env.value]

                      content {
                        field_path = "${c.key}-${env.key}-${value_from.value}-${field_ref.value}"
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}

output "containers" {
  value = [for c in kubernetes_deployment_v1.d.spec[0].template[0].spec[0].container : {
    name  = c.name
    image = c.image
    ports = [for p in c.port : "${p.name}:${p.container_port}"]
    env   = [for e in c.env : "${e.name}=${e.value_from[0].field_ref[0].field_path}"]
  }]
}
