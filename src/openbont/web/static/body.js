// The patient's body: skin, muscles under it, needles. Turn it, click or drag a site, click a muscle.
// It only shows and points: where a needle ends is said by the server, and the table says the same.
import * as THREE from "./vendor/three.module.min.js";
import { OrbitControls } from "./vendor/OrbitControls.js";
import { place as placeLabels } from "./labels.js";

const GRAIN_MM = 0.1;
const NEAR_PX = { mouse: 13, pen: 16, touch: 24 };
const CLICK_PX = 5;
const WAYS = { front: [0, 0, 1], back: [0, 0, -1], left: [1, 0, 0], right: [-1, 0, 0] };

/** Parts of an asset: a list of what there is, then corners and triangles of each. */
function parts(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const heads = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  return heads.map((one) => {
    const corners = new Float32Array(new Int16Array(buffer, at, 3 * one.corners)).map((x) => x * GRAIN_MM);
    at += 6 * one.corners;
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(corners, 3));
    geometry.setIndex(new THREE.BufferAttribute(new Uint16Array(buffer, at, 3 * one.triangles), 1));
    at += 6 * one.triangles;
    geometry.computeVertexNormals();
    return { ...one, geometry };
  });
}

async function asset(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(address);
  return parts(await answer.arrayBuffer());
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const point = (xyz) => new THREE.Vector3(...xyz);

/**
 * Show the body in `canvas`, its labels in `svg`. `hears` are functions: chosen(site), picked(id),
 * over(id or "", label), moving(site, xyz), moved(site, xyz); without the last two nothing can be dragged.
 */
export async function show(canvas, svg, address, hears) {
  const context = canvas.getContext("webgl2", { antialias: true, alpha: true });
  if (!context) throw new Error("no WebGL");
  const renderer = new THREE.WebGLRenderer({ canvas, context });
  const camera = new THREE.PerspectiveCamera(30, 1, 10, 20000);
  const scene = new THREE.Scene();
  const lamp = new THREE.DirectionalLight(0xffffff, 1.6);
  scene.add(new THREE.HemisphereLight(0xffffff, 0x667077, 2.2), lamp, camera);
  const marks = new THREE.Group();
  const within = new THREE.Group();
  const skin = new THREE.MeshStandardMaterial({ roughness: 0.85, side: THREE.FrontSide });
  const body = (await asset(`${address}/body`)).map((one) => new THREE.Mesh(one.geometry, skin));
  scene.add(...body, within, marks);
  let sites = [];
  let held = null; // the site in the hand
  let now = { row: -1, site: -1, structure: "" };
  let planned = new Set();

  // ---- pointing, heard before the controls so that they can be told to stay out

  canvas.addEventListener("pointerdown", down);
  const controls = new OrbitControls(camera, canvas);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", drop);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && held) drop(); });
  let pressed = null;

  function down(event) {
    pressed = [event.clientX, event.clientY];
    const near = nearest(event);
    if (!near || !hears.moved) return;
    held = near;
    controls.enabled = false;
    canvas.setPointerCapture(event.pointerId);
    hears.chosen(near);
  }

  function move(event) {
    if (held && far(event)) {
      const hit = ray(event).intersectObject(body[0])[0];
      canvas.style.cursor = "grabbing";
      if (!hit) return;
      held.to = hit.point.toArray();
      held.dot.position.copy(hit.point);
      held.name.at.copy(hit.point);
      held.line.visible = false;
      hears.moving(held, held.to);
      render();
    } else if (!pressed) {
      const near = nearest(event);
      canvas.style.cursor = near ? (hears.moved ? "grab" : "pointer") : "";
      hears.over(near?.structure ?? under(event), near?.label);
    }
  }

  function up(event) {
    const [was, start] = [held, pressed];
    held = pressed = null;
    controls.enabled = true;
    canvas.style.cursor = "";
    if (was?.to) hears.moved(was, was.to);
    else if (was) hears.chosen(was);
    else if (start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) <= CLICK_PX) click(event);
  }

  function drop() {
    held = pressed = null;
    controls.enabled = true;
    put(sites);
  }

  function click(event) {
    const near = nearest(event);
    if (near) { hears.chosen(near); return; }
    const id = under(event);
    if (id) hears.picked(id);
  }

  function far(event) {
    return Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > CLICK_PX || held.to;
  }

  function ray(event) {
    const box = canvas.getBoundingClientRect();
    const caster = new THREE.Raycaster();
    caster.setFromCamera(new THREE.Vector2(
      ((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2,
    ), camera);
    return caster;
  }

  function under(event) {
    return ray(event).intersectObjects(within.children)[0]?.object.userData.id ?? "";
  }

  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    let [best, least] = [null, NEAR_PX[event.pointerType] ?? NEAR_PX.mouse];
    for (const one of sites) {
      if (!one.facing) continue;
      const away = Math.hypot(one.x - (event.clientX - box.left), one.y - (event.clientY - box.top));
      if (away < least) [best, least] = [one, away];
    }
    return best;
  }

  // ---- drawing

  function render() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
    lamp.position.copy(camera.position);
    body[1].visible = camera.position.z > controls.target.z; // no eyes through the back of the head
    for (const one of sites) onScreen(one, width, height);
    renderer.render(scene, camera);
    placeLabels(svg, sites, width, height, now);
  }

  function onScreen(one, width, height) {
    const seen = one.name.at.clone().project(camera);
    one.x = ((seen.x + 1) / 2) * width;
    one.y = ((1 - seen.y) / 2) * height;
    one.facing = one.out.dot(camera.position.clone().sub(one.name.at)) > 0 && Math.abs(seen.x) < 1 && Math.abs(seen.y) < 1;
    one.dot.visible = one.facing;
    one.dot.scale.setScalar((camera.position.distanceTo(one.name.at) / 130) * (isNow(one) ? 1.5 : 1));
  }

  function isNow(one) {
    return one.row === now.row && one.site === now.site;
  }

  function paint() {
    const clear = within.visible && within.children.length > 0;
    skin.color.set(colour("--body-skin"));
    skin.transparent = clear;
    skin.opacity = clear ? 0.3 : 1;
    skin.depthWrite = !clear;
    skin.needsUpdate = true;
    for (const { material, userData } of within.children) {
      material.color.set(colour(planned.has(userData.id) ? "--body-planned" : "--body-muscle"));
      material.emissive.set(userData.id === now.structure ? colour("--body-chosen") : "#000000");
      material.emissiveIntensity = 0.45;
    }
    for (const one of sites) one.dot.material.color.set(colour(isNow(one) ? "--body-chosen" : "--body-site"));
    render();
  }

  function put(said, look = "") {
    marks.clear();
    sites = said.map((one) => {
      const dot = new THREE.Mesh(new THREE.SphereGeometry(1, 20, 14), new THREE.MeshBasicMaterial());
      dot.position.copy(point(one.skin_mm));
      const needle = new THREE.BufferGeometry().setFromPoints([point(one.skin_mm), point(one.at_mm)]);
      const line = new THREE.Line(needle, new THREE.LineBasicMaterial({ color: colour("--body-site") }));
      marks.add(dot, line);
      const out = point(one.skin_mm).sub(point(one.at_mm));
      return { ...one, dot, line, out, to: null, name: { at: dot.position.clone() } };
    });
    if (look) view(look);
    paint();
  }

  function view(from) {
    const box = new THREE.Box3();
    for (const one of sites) box.expandByPoint(point(one.skin_mm));
    if (!sites.length) box.setFromObject(within.children.length ? within : body[0]);
    if (box.isEmpty()) box.setFromObject(body[0]);
    box.expandByScalar(sites.length ? 60 : 40);
    const middle = box.getCenter(new THREE.Vector3());
    const way = new THREE.Vector3();
    if (WAYS[from]) way.set(...WAYS[from]);
    else for (const one of sites) way.addScaledVector(one.out.clone().setY(0).normalize(), 1 / sites.length);
    if (way.length() < 0.3) way.set(0, 0, 1); // sites all around, or none
    way.setY(0).normalize().add(new THREE.Vector3(0, 0.15, 0)).normalize();
    const size = box.getSize(new THREE.Vector3());
    const across = Math.abs(way.x) * size.z + Math.abs(way.z) * size.x;
    const half = Math.max(size.y, across / Math.max(0.1, canvas.clientWidth / canvas.clientHeight)) / 2;
    const along = Math.abs(way.x) * size.x + Math.abs(way.z) * size.z;
    camera.position.copy(middle).addScaledVector(way, half / Math.tan(Math.PI / 12) + along / 2);
    controls.target.copy(middle);
    controls.update();
    render();
  }

  function choose(site, turn = false) {
    now = { row: site?.row ?? -1, site: site?.site ?? -1, structure: site?.structure ?? "" };
    const one = sites.find(isNow);
    if (turn && one && !one.facing) face(one);
    paint();
  }

  /** Turn the body until a site is in front. */
  function face(one) {
    const far = camera.position.distanceTo(controls.target);
    const way = one.out.clone().setY(Math.max(0, one.out.y)).normalize();
    camera.position.copy(controls.target).addScaledVector(way, far);
    controls.update();
    render();
  }

  function plan(structures) {
    planned = new Set(structures);
    paint();
  }

  function muscles(visible) {
    within.visible = visible;
    paint();
  }

  for (const one of await asset(`${address}/muscles`)) {
    const mesh = new THREE.Mesh(one.geometry, new THREE.MeshStandardMaterial({ roughness: 0.7 }));
    mesh.userData.id = one.id;
    within.add(mesh);
  }
  controls.addEventListener("change", render);
  new ResizeObserver(render).observe(canvas);
  const names = new Set(within.children.map((one) => one.userData.id));
  return { put, choose, plan, view, muscles, paint, names };
}
