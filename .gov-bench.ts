import { createRateGovernor } from '/work/main/src/twilio/rate-governor.ts';
import Bottleneck from 'bottleneck';
const clock = { now: () => Date.now(), sleep: (ms:number) => new Promise<void>(r => setTimeout(r, ms)) };
async function run(R:number, C:number, N:number, L:number, which:string) {
  const starts:number[] = [];
  const t0 = performance.now();
  const g = createRateGovernor({requestsPerSecond:R,maxConcurrent:C}, clock as any);
  const b = new Bottleneck({maxConcurrent:C, minTime: 1000/R});
  const call = () => which==='ours' ? g.schedule(async (start) => { await start(); starts.push(performance.now()); await new Promise(r=>setTimeout(r,L)); g.succeeded(); })
   : b.schedule(async () => { starts.push(performance.now()); await new Promise(r=>setTimeout(r,L)); });
  await Promise.all(Array.from({length:N}, call));
  const t = performance.now()-t0;
  let worst=0; for (let i=0,j=0;i<starts.length;i++){ while(starts[i]-starts[j]>=1000) j++; worst=Math.max(worst,i-j+1);}
  console.log(which, {R,C,N,L}, 'ratio', (t/(N/R*1000)).toFixed(4), 'max in 1s window', worst);
}
for (const which of ['bottleneck','ours']) {
 await run(50,2,500,5,which);
 await run(50,2,500,25,which);
 await run(50,1,300,5,which);
 await run(5,2,50,30,which);
 await run(100,4,1000,10,which);
}
await run(200,8,2000,10,'ours'); await run(50,2,2000,10,'ours'); await run(2.5,2,20,10,'ours'); await run(500,16,3000,2,'ours');
